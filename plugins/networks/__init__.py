"""Pretrained bodies with a new head, whatever their inputs are, and how they are saved."""
