-- expect-error: syntax-unfinished-comment.lua:4: unfinished long comment near '<eof>'
print(1)
--[[ never closed
