// The page's side of the quiz: shows the questions, sends the answers, shows the score.
// What the answers are, and what a score is worth, is decided in lua/score-quiz.lua on the host.
"use strict";

// Another quiz in the same tables is another id.
const QUIZ_ID = "solar-system";

const byId = (id) => document.getElementById(id);

// Text from the database or a visitor goes in as text, never as HTML: a nickname can't become a script.
function element(tag, text, properties = {}) {
  const made = Object.assign(document.createElement(tag), properties);
  if (text !== undefined) made.textContent = text;
  return made;
}

function say(text, isProblem = false) {
  const status = byId("status");
  status.textContent = text;
  status.classList.toggle("problem", isProblem);
}

function showProblem(doing, error) {
  say(`${doing}: ${error?.message ?? error}`, true);
}

const letter = (index) => String.fromCharCode("A".charCodeAt(0) + index);

// `choices` is a JSON list in the database; a broken one loses this question, not the quiz.
function parseChoices(row) {
  try {
    const choices = JSON.parse(row.choices);
    return Array.isArray(choices) ? choices.map(String) : [];
  } catch {
    return [];
  }
}

// ---- The questions

async function loadQuestions() {
  const rows = await goopData.query("quiz_questions", { where: "quiz_id = ?", args: [QUIZ_ID] });
  rows.sort((a, b) => a.position - b.position);
  byId("questions").replaceChildren(...rows.map(questionFields));
  byId("quiz").hidden = rows.length === 0;
  say(rows.length === 0 ? "There are no questions yet." : "");
  return rows;
}

function questionFields(row, index) {
  const fields = element("fieldset");
  fields.append(element("legend", `${index + 1}. ${row.question}`));
  parseChoices(row).forEach((choice, place) => {
    const label = element("label", undefined, { className: "choice" });
    const radio = element("input", undefined, {
      type: "radio", name: `question-${index}`, value: letter(place), required: true,
    });
    radio.dataset.questionId = row.question_id;
    label.append(radio, element("span", choice));
    fields.append(label);
  });
  return fields;
}

// ---- The answers

async function submitAnswers(event) {
  event.preventDefault();
  const answers = {};
  for (const radio of byId("questions").querySelectorAll("input:checked")) {
    answers[radio.dataset.questionId] = radio.value;
  }
  await busy(event.submitter, "Your answers could not be scored", async () => {
    say("Scoring your answers…");
    const result = await goopData.call("score-quiz", { quiz_id: QUIZ_ID, answers });
    showResult(result);
    // The script only reads the database. The score is written here, and the host stamps it with the
    // peer that sent it.
    await goopData.insert("scores", {
      game_id: QUIZ_ID,
      score: result.score,
      nickname: byId("nickname").value.trim(),
      submitted_at: Date.now(),
    });
    await loadBoard();
  });
}

function showResult({ score, total, passed }) {
  say("");
  byId("quiz").hidden = true;
  byId("result-text").textContent = `${score} of ${total} right. `
    + (passed ? "You passed, well done!" : "Not a pass this time. Try again?");
  byId("result").hidden = false;
  byId("result").focus();
}

function startAgain() {
  byId("quiz").reset();
  byId("result").hidden = true;
  byId("quiz").hidden = false;
  byId("quiz").focus();
}

// ---- The leaderboard

async function loadBoard() {
  const { leaderboard } = await goopData.call("leaderboard", { game_id: QUIZ_ID });
  // An empty Lua table is as much an object as a list, so don't count on a list.
  const best = Array.isArray(leaderboard) ? leaderboard : [];
  byId("board-rows").replaceChildren(...best.map(({ nickname, peer_id, score }, index) => {
    const line = element("tr");
    // The end of the id tells two players of the same name apart.
    const player = `${nickname || "Somebody"} (…${String(peer_id).slice(-6)})`;
    line.append(element("td", String(index + 1)), element("td", player), element("td", String(score)));
    return line;
  }));
  byId("board-empty").hidden = best.length > 0;
  byId("board").hidden = false;
}

// ---- The host's own form

// Only the host sees the host's rows of quiz_answers.
async function showEditorToHost() {
  const own = await goopData.query("quiz_answers", { where: "quiz_id = ?", args: [QUIZ_ID], limit: 1 });
  byId("editor").hidden = own.length === 0;
}

async function addQuestion(event) {
  event.preventDefault();
  const choices = byId("new-choices").value.split("\n").map((line) => line.trim()).filter(Boolean);
  const answer = byId("new-answer").value.trim().toUpperCase();
  if (choices.length < 2 || choices.length > 26 || !choices.some((_, index) => letter(index) === answer)) {
    say("A question needs 2 to 26 choices, and the letter of one of them as its answer.", true);
    return;
  }
  await busy(event.submitter, "The question could not be added", async () => {
    const question_id = `q${Date.now()}`;
    // The answer first: without it, a question would count for nobody.
    await goopData.insert("quiz_answers", { quiz_id: QUIZ_ID, question_id, answer });
    await goopData.insert("quiz_questions", {
      quiz_id: QUIZ_ID, question_id, position: Date.now(),
      question: byId("new-text").value.trim(), choices: JSON.stringify(choices),
    });
    byId("new-question").reset();
    await loadQuestions();
    say("The question is in the quiz.");
  });
}

// ---- Start

// One click is one request: the button rests until the work is done.
async function busy(button, doing, work) {
  if (button) button.disabled = true;
  try {
    await work();
  } catch (error) {
    showProblem(doing, error);
  } finally {
    if (button) button.disabled = false;
  }
}

async function start() {
  if (typeof goopData === "undefined") {
    say("This page is live only inside a Goop² viewer. Start the peer with “goop2 peer” and open the "
      + "address that it prints in this browser.", true);
    return;
  }
  byId("quiz").addEventListener("submit", submitAnswers);
  byId("again").addEventListener("click", startAgain);
  byId("new-question").addEventListener("submit", addQuestion);
  // Each on its own: a leaderboard that fails must not take the quiz with it.
  await busy(null, "The questions could not be loaded", loadQuestions);
  await busy(null, "The leaderboard could not be loaded", loadBoard);
  await showEditorToHost().catch(() => {});
}

start();
