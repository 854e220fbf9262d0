"""What a model that is trained on the rows says of them."""
