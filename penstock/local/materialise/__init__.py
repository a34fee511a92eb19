"""Runs the Pulumi program under Pulumi's mocks and makes what it registers in the emulated AWS."""
