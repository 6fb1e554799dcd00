-- expect-error: assert-plain.lua:2: assertion failed!
assert(1 == 2)
