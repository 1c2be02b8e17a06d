"""What a night is made of: the way through the folder, children that decode, its pulse, its report."""
