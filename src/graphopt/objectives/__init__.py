"""What a decision is judged by: a differentiable loss, decoding and exact evaluation."""
