"""What is known: entries, the catalogue, licences, cards. No torch and no network in here."""
