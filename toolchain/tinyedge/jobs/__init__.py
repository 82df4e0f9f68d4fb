"""Jobs: what each command does, in order. The only place that knows the order of the stages."""
