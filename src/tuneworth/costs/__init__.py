"""What an arm costs to make and to use. Pure arithmetic on measured times and stated prices."""
