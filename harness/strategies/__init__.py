"""What other ways of answering would have cost, taken and reached: from recorded attempts and answers."""
