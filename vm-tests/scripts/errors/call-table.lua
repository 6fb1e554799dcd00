-- expect: false	call-table.lua:2: attempt to call a table value
print(pcall(function() local v = ({})() return v end))
