/** Sessions: whether a turn's condition holds, and what it changes. */
export const sessions: string = String.raw`
local function sessionOf(name)
  local s = call('HMGET', base .. 's:' .. name, 'a', 'h', 'over', 'd')
  if not s[1] then return nil end
  return { name = name, acknowledged = tonumber(s[1]), holder = s[2], isOver = s[3] == '1', head = tonumber(s[4]) }
end
local function refuse(out, session, why)
  put(out, 'refused', why, session.acknowledged, session.holder)
  return true
end
local function release(holder, name)
  call('SREM', base .. 'h:' .. holder, name)
  if call('SCARD', base .. 'h:' .. holder) == 0 then call('SREM', base .. 'd', holder) end
end
local function hold(node, session)
  release(session.holder, session.name)
  session.holder = node
  sadd('h:' .. node, session.name)
  call('HSET', base .. 's:' .. session.name, 'h', node)
end
local function absent(id)
  call('HDEL', base .. 'p', id)
  change('absent', id)
end
-- The node and the session of someone who is present.
local function placeOf(present)
  local node, next = field(present, 1)
  local session = field(present, next)
  return node, session ~= '' and string.sub(session, 2) or nil
end
local function endSession(node, session)
  local key = base .. 's:' .. session.name
  release(session.holder, session.name)
  if session.holder ~= node then notify(session.holder, 'taken', session.name) end
  for _, name in ipairs(call('HKEYS', key)) do
    local id = string.match(name, '^i:(.*)$')
    local present = id and call('HGET', base .. 'p', id)
    if present and select(2, placeOf(present)) == session.name then absent(id) end
  end
  call('DEL', key, base .. 'o:' .. session.name, base .. 'ot:' .. session.name)
  call('HSET', key, 'a', session.acknowledged, 'h', session.holder, 'over', 1, 'd', session.head)
  call('PEXPIRE', key, remember)
end
local function forgot(out, node, session)
  endSession(node, session)
  return refuse(out, session, 'forgot')
end
local function writeSession(node, name, snapshot, acknowledged, epoch, head)
  call('HSET', base .. 's:' .. name, 'a', acknowledged, 'h', node, 'e', epoch, 'd', head, 'x', snapshot)
  begin('s:' .. name)
  sadd('h:' .. node, name)
end
-- An entry of a session's own log: its offset, its tag, and the rest.
local function addOwn(name, offset, tag, rest)
  local entry = {}
  put(entry, offset, tag)
  entry = table.concat(entry) .. rest
  call('SADD', base .. 'ot:' .. name, tag)
  if call('RPUSH', base .. 'o:' .. name, entry) == 1 then
    begin('o:' .. name)
    begin('ot:' .. name)
  end
  return entry
end
local function offsetOf(entry) return tonumber((field(entry, 1))) end
local function send(name, tag, rest)
  local session = sessionOf(name)
  if session == nil or session.isOver or call('SISMEMBER', base .. 'ot:' .. name, tag) == 1 then return end
  local head = call('HINCRBY', base .. 's:' .. name, 'd', 1)
  notify(session.holder, 'own', name, addOwn(name, head, tag, rest))
end
-- The last entry that the client has stays.
local function releaseOwn(name, released)
  while true do
    local entry = call('LINDEX', base .. 'o:' .. name, 0)
    if not entry or offsetOf(entry) >= released then return end
    local _, next = field(entry, 1)
    call('SREM', base .. 'ot:' .. name, (field(entry, next)))
    call('LPOP', base .. 'o:' .. name)
  end
end
local function claim(out, node, session)
  local isSame = session.holder == node
  if not isSame then
    notify(session.holder, 'taken', session.name)
    hold(node, session)
  end
  local stored = call('HMGET', base .. 's:' .. session.name, 'x', 'e')
  local own = call('LRANGE', base .. 'o:' .. session.name, 0, -1)
  local told = call('HGET', base .. 'k:' .. node, 'n') or 0
  put(out, 'claimed', stored[1], session.acknowledged, stored[2], isSame and 1 or 0, told, #own)
  for _, entry in ipairs(own) do put(out, entry) end
end
local function restate(node, name, known, record)
  local own = known and call('LRANGE', base .. 'o:' .. name, 0, -1) or {}
  if known then release(known.holder, name) end
  call('DEL', base .. 'o:' .. name, base .. 'ot:' .. name)
  local head = record.own[#record.own]
  local acknowledged = math.max(record.acknowledged, known and known.acknowledged or 0)
  writeSession(node, name, record.snapshot, acknowledged, record.epoch, head and head.offset or 0)
  for _, entry in ipairs(record.own) do addOwn(name, entry.offset, entry.tag, entry.rest) end
  local released = record.own[1] and record.own[1].offset or 0
  for _, entry in ipairs(own) do
    local offset, next = field(entry, 1)
    local tag, rest = field(entry, next)
    if tonumber(offset) >= released then send(name, tag, string.sub(entry, rest)) end
  end
end
local function readRecord()
  local record = { snapshot = arg(), acknowledged = num(), epoch = arg(), own = {} }
  for i = 1, num() do record.own[i] = { offset = num(), tag = arg(), rest = arg() } end
  return record
end
`;

/** Each reads its arguments, and either writes why the turn is refused and returns true, or does what it says, and writes the result. */
export const conditions: string = String.raw`
local function missing(out, name)
  put(out, 'refused', 'unknown', '', '')
  return true
end
local conditions = {}
conditions['-'] = function(out) put(out, 'done') end
conditions.message = function(out, node)
  local name, number = arg(), num()
  local session = sessionOf(name)
  if session == nil then return missing(out) end
  if session.isOver then return refuse(out, session, 'ended') end
  if session.acknowledged ~= number - 1 then return refuse(out, session, session.acknowledged < number and 'forgot' or 'acknowledged') end
  call('HSET', base .. 's:' .. name, 'a', number)
  put(out, 'done')
end
conditions.claim = function(out, node)
  local name, acknowledged, isRecent, isOrphan = arg(), num(), arg() == '1', arg() == '1'
  local session = sessionOf(name)
  if session == nil then
    if not isRecent then return missing(out) end
    -- It is lost, and no late turn of it is ever taken.
    session = { name = name, acknowledged = 0, holder = node, head = 0 }
    endSession(node, session)
    return refuse(out, session, 'forgot')
  end
  if session.isOver then return refuse(out, session, 'ended') end
  if isOrphan and session.holder ~= node and isAlive(session.holder) then return refuse(out, session, 'holder') end
  if session.acknowledged < acknowledged then return forgot(out, node, session) end
  claim(out, node, session)
end
conditions.create = function(out, node)
  local name, snapshot, epoch = arg(), arg(), arg()
  local session = sessionOf(name)
  if session ~= nil then return refuse(out, session, 'holder') end
  writeSession(node, name, snapshot, 0, epoch, 0)
  put(out, 'done')
end
conditions.restate = function(out, node)
  local name, isOther, record = arg(), arg() == '1', readRecord()
  local session = sessionOf(name)
  -- A backplane that has lost everything is told again what sessions know; one that has lost its end alone did not take what it says it has.
  if session == nil and not isOther and record.acknowledged > 0 then return missing(out) end
  if session ~= nil then
    if session.isOver then return refuse(out, session, 'ended') end
    if session.holder ~= node and isAlive(session.holder) then return refuse(out, session, 'holder') end
    if session.acknowledged < record.acknowledged then return forgot(out, node, session) end
  end
  restate(node, name, session, record)
  put(out, 'done')
end
conditions['end'] = function(out, node)
  local name = arg()
  local session = sessionOf(name)
  if session == nil then return missing(out) end
  if session.isOver then return refuse(out, session, 'ended') end
  if session.holder ~= node then return refuse(out, session, 'holder') end
  endSession(node, session)
  put(out, 'ended', session.acknowledged)
end
`;
