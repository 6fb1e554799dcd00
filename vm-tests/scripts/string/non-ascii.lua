-- expect: 13	HéLLO WöRLD	h	9	10
-- expect: 9	true	日本日本
-- expect: a
-- expect: é
local s = "héllo wörld"
print(#s, s:upper(), s:sub(1, 1), s:find("ö"))
print(("日本語"):len(), ("日本語"):reverse() ~= "", ("日本"):rep(2))
for c in ("aé"):gmatch("[%z\1-\127\194-\244][\128-\191]*") do print(c) end
