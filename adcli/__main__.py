"""`python -m adcli`."""

from adcli.cli import main

if __name__ == "__main__":
    main()
