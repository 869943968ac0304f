"""An application of Django whose keys the page of the admin shows."""
