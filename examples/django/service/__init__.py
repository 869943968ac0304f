"""Users of an application in Rails."""
