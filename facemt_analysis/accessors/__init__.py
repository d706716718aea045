"""``fex.au``, ``fex.gaze`` …: typed, stateless views that call one public function per method.

Each view is in a file of its own and is loaded when it is first asked for.
"""
