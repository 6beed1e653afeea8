"""What a release is made of, and what is known of it: programs for whoever publishes Likewise, not part of the wheel.

- ``audit``: known vulnerabilities of what requirements.lock pins (`make audit`); allowed ones in audit-allowed.toml
- ``components``: what is installed, with everything that packages bring along of others
- ``licences``: which licences these are under, and whether that is permitted; stated ones in licences.toml
- ``sbom``: the bill of materials and the list of licences (`make sbom`)
"""
