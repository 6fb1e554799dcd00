--- List the chat commands of this peer, or explain one
--- @param name string The command to explain; all are listed if it is left out
--- @example score-quiz
--
-- Anyone can send you `!help` in the chat. Each file beside this one that has a `handle` function is a
-- command: its name without `.lua`, after a `!`.

function handle(args)
    -- What the lines that start with `---` at the top of its file say.
    if args ~= "" then return goop.help(args) end

    local commands = goop.commands()  -- a list of names, sorted
    local lines = {"Available commands:"}
    for _, cmd in ipairs(commands) do
        table.insert(lines, "  !" .. cmd)
    end
    return table.concat(lines, "\n")
end
