"""A copy of the module in which one callback traps, as a mistake of ours would."""


def with_trap(module, callback):
    """The bytes of a wasm module whose exported function `callback` is one `unreachable`."""
    sections = list(_sections(module))
    imported = sum(_imported_functions(body) for kind, body in sections if kind == IMPORT)
    index = next(_exported(body, callback) for kind, body in sections if kind == EXPORT)
    out = bytearray(module[:8])
    for kind, body in sections:
        body = _replaced(body, index - imported) if kind == CODE else body
        out += bytes([kind]) + _leb(len(body)) + body
    return bytes(out)


IMPORT, EXPORT, CODE = 2, 7, 10

#: No locals; `unreachable`; `end`.
TRAP = b"\x00\x00\x0b"


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def name(self):
        return bytes(self.take(self.number())).decode()


def _leb(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _sections(module):
    reader = _Reader(module)
    reader.take(8)
    while reader.at < len(module):
        kind = reader.take(1)[0]
        yield kind, reader.take(reader.number())


def _imported_functions(body):
    """How many of the imports are functions, which are numbered first."""
    reader, functions = _Reader(body), 0
    for _ in range(reader.number()):
        reader.name(), reader.name()
        kind = reader.take(1)[0]
        assert kind == 0, "the module imports functions and nothing else"
        reader.number()
        functions += 1
    return functions


def _exported(body, wanted):
    """The number of the exported function."""
    reader = _Reader(body)
    for _ in range(reader.number()):
        name, kind, index = reader.name(), reader.take(1)[0], reader.number()
        if (name, kind) == (wanted, 0):
            return index
    raise AssertionError(f"{wanted} is not exported")


def _replaced(body, index):
    reader = _Reader(body)
    count = reader.number()
    functions = [reader.take(reader.number()) for _ in range(count)]
    functions[index] = TRAP
    return _leb(count) + b"".join(_leb(len(each)) + each for each in functions)
