/** What people ask the demo's app. Own questions, with blanks filled by chance so that conversations differ from each other. */
import type { Random } from "../kernel/random.ts";
import { oneOf } from "./keyed-random.ts";

export const systemPrompt =
  "You are the assistant of a neighbourhood help desk. People bring you everyday questions. Answer briefly, in plain words.";

const blanks: Record<string, readonly string[]> = {
  amount: ["120", "350", "800", "1,500", "2,400", "4,000", "9,500", "18,000", "32,000"],
  months: ["two", "three", "five", "eight", "ten", "fourteen"],
  age: ["19", "24", "31", "38", "45", "52", "63", "71"],
  name: [
    "Ana",
    "Ben",
    "Chidi",
    "Dora",
    "Emil",
    "Farah",
    "Goran",
    "Hana",
    "Ivo",
    "Jun",
    "Kofi",
    "Lena",
    "Mateo",
    "Nina",
  ],
  place: ["Leeds", "Porto", "Graz", "Tartu", "Ghent", "Malmo", "Split", "Cork", "Turin", "Lyon", "Gdansk"],
  day: ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
};

export const everydayQuestions: readonly string[] = [
  "I have {amount} left over and {months} months until my lease ends. What should I do with the money?",
  "Is it worth paying off my credit card of {amount} before I start saving?",
  "My friend {name} wants to borrow {amount} until {day}. How do I handle that?",
  "How much should somebody of {age} keep in an emergency fund?",
  "I was offered a loan of {amount} over the phone. What should I check first?",
  "Is a broad fund a sensible place for {amount} over {months} years?",
  "My rent in {place} goes up by {amount} a year. Can I push back?",
  "How do I make a budget that I will keep for more than {months} weeks?",
  "I'm {age} and have no pension yet. Where do I begin?",
  "A colleague called {name} made a lot with some coin. Should I put in {amount}?",
  "I can't sleep before work on {day}. What helps?",
  "I'm {age} and my knee hurts after running in {place}. Should I stop?",
  "How many of the usual headache tablets are fine in one day for a woman of {age}?",
  "I have had a cough for {months} weeks. When do I see a doctor?",
  "What is a reasonable diet if I want to lose weight before {day} in {months} months?",
  "My mother is {age} and forgets her blood pressure pills. Any ideas?",
  "I feel tired all day since {day}. What could it be?",
  "Is it a problem to drink coffee with my new tablets? I'm {age}.",
  "How do I start to exercise again after {months} months on the sofa?",
  "{name} has a rash since {day}. What should we look out for?",
  "My landlord in {place} keeps my deposit of {amount}. What can I do?",
  "I got a fine of {amount} in {place} that I think is wrong. How do I object?",
  "Can my employer change my hours with {months} days of notice?",
  "I found a mistake in my tax form of last year, about {amount}. What now?",
  "Do I need a permit for a shed behind the house in {place}?",
  "{name} wants me to sign a contract by {day}. What should I read twice?",
  "What goes into a simple will for a person of {age}?",
  "The shop in {place} refuses to take back a kettle that broke after {months} weeks. Who is right?",
  "My neighbour {name} parks in front of my door every {day}. What are my rights?",
  "I was asked to be a witness in court in {place}. What happens there?",
  "There is mould in the bathroom of my flat in {place}. How do I clean it safely?",
  "The smoke alarm beeps since {day}. What do I do?",
  "Can I change a light switch myself? I'm {age} and have done it once.",
  "What should I check on the car before driving from {place} to {place}?",
  "Which cleaning products should never be mixed? {name} and I clean on {day}.",
  "The brakes squeal since {day}. Can I still drive to {place}?",
  "How do I make the flat safe for a baby that is {months} months old?",
  "I smell gas near the stove in {place}, very faintly. Am I overreacting?",
  "How do I keep my passwords in order? I have about {age} of them.",
  "Is it safe to charge an e-bike battery overnight in a flat in {place}?",
  "My friend {name} has not answered since {day}. Should I worry?",
  "How do I tell my boss {name} that I can't work on {day}?",
  "My sister {name} and I argue about our father's house. How do we start to talk?",
  "I'm {age} and new in {place}. How do I find friends?",
  "My partner {name} wants to know all my passwords. Is that normal?",
  "What do I give {name} for a wedding if I have {amount} at most?",
  "A colleague called {name} takes credit for my work. What should I say on {day}?",
  "My son is {age} and does not want to visit us any more. What can we do?",
  "How do I apologise to {name} for something I said {months} months ago?",
  "My neighbour {name} plays drums until midnight on {day}. How do I bring it up?",
  "Suggest a plan for a free {day} in {place}.",
  "What can I cook for {name}, who eats no meat, with what costs less than {amount} cents?",
  "How do I write a short speech for somebody who turns {age}?",
  "Which plants survive on a dark balcony in {place}?",
  "How do I learn the basics of a language in {months} months before I move to {place}?",
  "What should I pack for {months} days in {place}?",
  "My laptop is slow since {day}. Where do I look first?",
  "How do I prepare for a job interview in {place} on {day}?",
  "Explain compound interest to my niece {name}, please.",
  "Which is better for a beginner of {age}, guitar or piano?",
  "How do I keep a reading habit for more than {months} weeks?",
  "Write two friendly lines to cancel dinner with {name} on {day}.",
  "What is a fair way to split chores between {months} flatmates?",
  "How do I take good photographs of the market in {place}?",
];

export const followUps: readonly string[] = [
  "And if that does not work?",
  "Thanks. What would you do first?",
  "Could you say that in one sentence?",
  "Is there anything I should not do?",
  "How long will it take?",
];

export const askEverydayQuestion = (random: Random): string =>
  oneOf(everydayQuestions, random).replace(/\{(\w+)\}/g, (whole, name: string) => {
    const words = blanks[name];
    return words === undefined ? whole : oneOf(words, random);
  });
