"""What is known about a situation, before anything is measured: facts in, advice out."""
