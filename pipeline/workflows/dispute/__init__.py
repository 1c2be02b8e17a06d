"""What is done when a score is disputed: replay it, compare scorings, listen again, put things right."""
