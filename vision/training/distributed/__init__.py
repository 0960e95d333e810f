"""Training in several processes: `world` and DDP for all of them in step, `backup` for those that
do not wait for stragglers."""
