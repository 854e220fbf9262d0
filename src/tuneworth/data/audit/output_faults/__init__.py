"""What can be wrong with an answer by its form alone, one kind of fault a module."""
