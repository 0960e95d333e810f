"""What people searched for and what followed: written down, and its owner's to read and erase."""
