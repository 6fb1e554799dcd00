-- A backslash before a character that needs none is left out.
-- expect: a-b	/	it's	qwd	%.[
-- expect: é	4	a.b
-- expect: x1
-- expect: a\b	2
-- expect: line
-- expect: more	-1
-- expect: false	string-escapes-needless.lua:19: attempt to index a nil value (global 'missing')
-- expect-error: string-escapes-needless.lua:23: attempt to perform arithmetic on a nil value (field 'y')
print("a\-b", "\/", 'it\'s', "\q\w\d", "\%\.\[")
print("\é", #"\é\é", "a\.b") -- "\q" in a comment
local digit = 0x1..'\!'
print(("x" .. digit):gsub("!", "") == "x1" and "x1")
print("a\\b", #"\\q")
print("line\
\more", #[[\-]] - 3)
print(pcall(function()
    return { "\-", 1,
        missing.x }
end))
local t = {}
print("\-" .. "\:",
    1 + t.y)
