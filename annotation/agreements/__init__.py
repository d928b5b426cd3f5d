"""What clinicians agree to before they read anything: documents in versions, signed once each."""
