"""Endurance: a crowd that comes and goes before a bridge whose backend dies again and again."""
