"""What every room of the package needs: errors, columns, units, the disk cache. Imports nothing of the package."""
