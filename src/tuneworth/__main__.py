"""``python -m tuneworth`` is the command ``tuneworth``."""

from tuneworth.cli.main import main

if __name__ == "__main__":
    main()
