"""What adapting costs and gives, against transformers' Trainer as its examples use it."""
