"""Fails where a file of src/ includes from a room that its own room does not link.

The linker alone does not notice: headers of every room are on the include path, and what is
missing may come in by another room's library.
"""

import pathlib
import re
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "src"
INCLUDE = re.compile(r'^\s*#\s*include\s+"(\w+)/')
DECLARATION = re.compile(r"certherd_room\(([^)]*)\)")


def read_rooms():
    """Each room with the rooms that it names in its CMakeLists.txt."""
    rooms = {}
    for path in sorted(SOURCE.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", path.read_text())
        for declaration in DECLARATION.finditer(text):
            words = declaration.group(1).split()
            named, keyword = [], None
            for word in words[1:]:
                if word in ("ROOMS", "LIBRARIES"):
                    keyword = word
                elif keyword == "ROOMS":
                    named.append(word)
            rooms[words[0]] = named
    return rooms


def below(room, rooms, path=()):
    """The room and all that it reaches. Two rooms that name each other are a fault."""
    if room in path:
        sys.exit("rooms in a circle: " + " -> ".join((*path, room)))
    reached = {room}
    for named in rooms.get(room, []):
        reached |= below(named, rooms, (*path, room))
    return reached


def main():
    rooms = read_rooms()
    folders = {path.name for path in SOURCE.iterdir() if path.is_dir()}
    faults, files = [], 0
    for room in sorted(folders):
        allowed = below(room, rooms)
        for path in sorted((SOURCE / room).rglob("*.?pp")):
            files += 1
            for number, line in enumerate(path.read_text().splitlines(), 1):
                found = INCLUDE.match(line)
                if found and found.group(1) in folders - allowed:
                    faults.append(
                        f"src/{path.relative_to(SOURCE)}:{number}: "
                        f"{room} does not link {found.group(1)}"
                    )
    print(*faults, f"{files} files of {len(folders)} rooms, {len(faults)} faults", sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
