"""What the system must withstand, tried on the whole of it: real processes, killed without warning."""
