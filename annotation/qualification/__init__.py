"""Who may be given a campaign's samples: the gate, licences, calibration and decisions."""
