"""What every service stands on. Contains no word of the domain: what a state, an event or a role means is told by the services."""
