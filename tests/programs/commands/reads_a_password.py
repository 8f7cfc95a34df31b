"""Asks for a name and a password, and says how long the latter is."""

import getpass

name = input("Name: ")
password = getpass.getpass("Password: ")
print(f"{name}: {len(password)} characters")
