"""What a folder of acquired files holds, as tables of pairs and of its time-lapses."""
