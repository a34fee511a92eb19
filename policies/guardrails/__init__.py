"""The policies, by what they guard.

Imports are relative: Pulumi runs the folder above as a program, not as a package of ours.
"""
