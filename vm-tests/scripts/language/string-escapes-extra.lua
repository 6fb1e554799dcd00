-- expect: AB	xy	é
-- reference: no the escapes x, z and u came after 5.1
print("\x41\x42", "x\z
       y", "\u{e9}")
