"""What stands in the docks left and right of the views."""
