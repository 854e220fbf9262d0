"""What an answer states (names, numbers, slot values), and where each of these can be found."""
