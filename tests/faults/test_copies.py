# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two copies of a cluster directory: what one has put on the nodes the other does not take back."""
from test_driving import arrange

INSTALL = ("install", "--ignore", "ports-free")


def test_older_copy(for_each):
    def act(machine, name):
        arrange(machine, "plan --output")  # an installed machine
        machine.run(argv=["cp", "-r", "one", "older"])
        older, newer = ("-c", "older/hardway.yaml"), ("-c", "one/hardway.yaml")
        assert "nothing to change" in machine.hardway(*INSTALL, *older)["out"], "it is no older than what the node has"

        machine.run(argv=["rm", "one/pki/nodes/c0/pki/apiserver.key"])
        machine.hardway("pki", "gen", *newer)
        machine.hardway(*INSTALL, *newer)
        installed = machine.state()
        assert installed["/var/lib/hardway/applied.json"][3]["edition"].startswith("2 ")
        said = "this is not the newest copy of the cluster directory: its keys and certificates are edition 1, those on c0 (2) are of a newer one"
        done = machine.hardway(*INSTALL, *older, status=65)
        assert said in done["err"] and "--ignore newest-copy" in done["err"], done["err"]
        assert said in machine.hardway("plan", *older)["err"]
        assert said in machine.run(argv=["hardway", "verify", *older])["out"]
        assert machine.state() == installed

        machine.hardway(*INSTALL, "--ignore", "newest-copy", *older)
        assert machine.state()["/var/lib/hardway/applied.json"][3]["edition"].startswith("1 ")
        assert "nothing to change" in machine.hardway(*INSTALL, *older)["out"]
        machine.hardway(*INSTALL, *newer)  # it knows what that was
        assert machine.state() == installed

    for_each([None], act)
