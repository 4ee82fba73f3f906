// Calls every method of the npm package delighted against a koe, and prints one
// line for each that did what it should: node delighted.js PORT KEY SURVEYED,
// where SURVEYED is the address of somebody with a planned mail.
'use strict';
const assert = require('assert');
const [port, key, surveyed] = process.argv.slice(2);
const client = require(process.env.KOE_TEST_DELIGHTED_NODE + '/node_modules/delighted')(key,
  {host: '127.0.0.1', port: Number(port), base: '/delighted/v1', scheme: 'http'});
const digits = /^[0-9]{1,39}$/;
const say = (method) => console.log('ok ' + method);

// wait turns the package's thenables into promises.
const wait = (thenable) => new Promise((resolve, reject) => thenable.then(resolve, reject));

async function refused(type, thenable) {
  try {
    await wait(thenable);
  } catch (error) {
    assert.strictEqual(error.type, type);
    return JSON.parse(error.message);
  }
  assert.fail('taken instead of ' + type);
}

async function people() {
  const ana = await wait(client.person.create({email: 'ana@example.com', name: 'Ana', delay: 60, properties: {plan: 'pro', orders: 3}}));
  assert.match(ana.id, digits);
  assert.strictEqual(ana.properties.orders, 3);
  assert.ok(ana.survey_scheduled_at > 0);
  say('person.create');

  ana.name = 'Ana B.';
  ana.send = false;
  ana.schema.send = true;
  assert.strictEqual((await wait(ana.save())).name, 'Ana B.');
  say('person.save');

  for (let i = 0; i < 5; i++) {
    await wait(client.person.create({email: 'p' + i + '@example.com', phone_number: '+1415555000' + i, send: false}));
  }
  const found = [];
  await wait(client.person.list({per_page: 2}).autoPagingEach((p) => { found.push(p.email); }));
  assert.ok(found.length >= 6 && found.includes('ana@example.com') && found.includes('p4@example.com'), String(found));
  say('person.list');

  const one = await wait(client.person.retrieve(ana.id));
  assert.strictEqual(one.email, 'ana@example.com');
  say('person.retrieve');

  const p0 = await wait(client.person.create({email: 'p0@example.com', send: false}));
  for (const who of [{id: p0.id}, {email: 'p1@example.com'}, {phone_number: '+14155550002'}]) {
    assert.deepStrictEqual(await wait(client.person.delete(who)), {ok: true});
  }
  await refused('GeneralAPIError', client.person.delete({email: 'p1@example.com'}));
  say('person.delete');

  assert.deepStrictEqual(await wait(client.surveyRequest.deletePending({person_email: surveyed})), {ok: true});
  say('surveyRequest.deletePending');

  const problem = await refused('ResourceValidationError', client.person.create({email: ''}));
  assert.deepStrictEqual(problem, {status: 422, message: 'Unprocessable Entity', errors: {email: ["can't be blank"]}});
  return ana;
}

async function answers(ana) {
  const made = await wait(client.surveyResponse.create({person: ana.id, score: 9, comment: 'Good', person_properties: {plan: 'pro'}}));
  assert.match(made.id, digits);
  assert.strictEqual(made.person, ana.id);
  say('surveyResponse.create');

  made.score = 4;
  made.comment = 'Late';
  const saved = await wait(made.save());
  assert.strictEqual(saved.score, 4);
  assert.strictEqual(saved.comment, 'Late');
  say('surveyResponse.save');

  const shown = await wait(client.surveyResponse.retrieve(made.id, {expand: ['person', 'notes']}));
  assert.strictEqual(shown.person.email, 'ana@example.com');
  assert.deepStrictEqual(shown.notes, []);
  say('surveyResponse.retrieve');

  const all = await wait(client.surveyResponse.all({since: new Date(1000), order: 'desc:updated_at', expand: 'person'}));
  assert.strictEqual(all[0].id, made.id);
  assert.strictEqual(all[0].person.id, ana.id);
  say('surveyResponse.all');

  const metrics = await wait(client.metrics.retrieve());
  assert.strictEqual(metrics.response_count, 1);
  assert.strictEqual(metrics.nps, -100);
  say('metrics.retrieve');
}

async function lists() {
  assert.deepStrictEqual((await wait(client.unsubscribe.create({person_email: 'p3@example.com'}))).toJSON(), {ok: true});
  say('unsubscribe.create');
  assert.strictEqual((await wait(client.unsubscribe.all()))[0].email, 'p3@example.com');
  say('unsubscribe.all');
  assert.strictEqual((await wait(client.bounce.all({per_page: 5}))).length, 1);
  say('bounce.all');
}

async function autopilot(ana) {
  const email = await wait(client.autopilotConfiguration.retrieve('email'));
  assert.strictEqual(email.active, true);
  assert.strictEqual(email.frequency, 90 * 24 * 60 * 60);
  assert.strictEqual((await wait(client.autopilotConfiguration.retrieve('sms'))).active, false);
  say('autopilotConfiguration.retrieve');

  const members = client.autopilotMembership.forEmail();
  const made = await wait(members.create({person_email: 'ana@example.com', properties: {plan: 'pro'}}));
  assert.strictEqual(made.person.id, ana.id);
  await wait(members.create({person_email: 'p4@example.com'}));
  say('autopilotMembership.forEmail.create');
  const found = [];
  await wait(members.list({per_page: 1}).autoPagingEach((m) => { found.push(m.person.email); }));
  assert.deepStrictEqual(found, ['ana@example.com', 'p4@example.com']);
  say('autopilotMembership.forEmail.list');
  assert.strictEqual((await wait(members.delete({person_email: 'ana@example.com'}))).person.id, ana.id);
  say('autopilotMembership.forEmail.delete');

  const sms = client.autopilotMembership.forSms();
  await wait(sms.list().autoPagingEach(() => assert.fail('nobody is asked by SMS')));
  say('autopilotMembership.forSms.list');
  await refused('ResourceValidationError', sms.create({person_email: 'ana@example.com'}));
  say('autopilotMembership.forSms.create');
  await refused('ResourceValidationError', sms.delete({person_email: 'ana@example.com'}));
  say('autopilotMembership.forSms.delete');
}

async function main() {
  const ana = await people();
  await answers(ana);
  await lists();
  await autopilot(ana);
}

main().catch((error) => {
  console.error(error.type || '', error.message || '', error.stack || '');
  process.exit(1);
});
