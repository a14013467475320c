"""Other packages' ways to differentiate, each in the form that its own users take: measured beside ours."""
