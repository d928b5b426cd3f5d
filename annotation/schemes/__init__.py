"""What clinicians are asked: schemes as data, and the rules their answers keep."""
