/** Words that the seed's names and titles are made of. */

type Words = readonly [string, ...string[]];

const words = (text: string): Words => text.split(', ') as [string, ...string[]];

export const firstNames = words(
  'Ada, Amara, Anton, Bilal, Carmen, Chen, Dalia, Diego, Elif, Emil, Fatima, Freya, Goran, Hana, Ines, Ivan, ' +
    'Jonas, Kaya, Lena, Liam, Mai, Mateo, Nadia, Noor, Olga, Oscar, Priya, Rosa, Sami, Sofia, Tariq, Yuki',
);
export const lastNames = words(
  'Abe, Adeyemi, Bauer, Berg, Costa, Dahl, Diaz, Eriksen, Ferrari, Garcia, Haas, Ito, Jansen, Kaplan, Keller, Kim, ' +
    'Kovacs, Larsen, Mbeki, Meyer, Nair, Novak, Okafor, Petrov, Reyes, Rossi, Sato, Silva, Singh, Tanaka, Wang, Yilmaz',
);
export const companies = words(
  'Alder, Beacon, Cobalt, Delta, Ember, Fjord, Granite, Harbor, Indigo, Juniper, Keystone, Lumen, Meridian, Northwind, ' +
    'Orchard, Pioneer, Quarry, Ridge, Summit, Tidal, Umber, Vertex, Willow, Zephyr',
);
export const trades = words(
  'Analytics, Energy, Foods, Health, Labs, Logistics, Media, Partners, Systems, Textiles',
);
export const undertakings = words(
  'Website relaunch, Mobile app, Data platform, Billing rewrite, Customer portal, Warehouse move, Brand refresh, ' +
    'Security audit, Onboarding, Reporting, Search, Internal tools',
);
export const verbs = words(
  'Add, Check, Design, Document, Draft, Fix, Measure, Plan, Remove, Review, Test, Update',
);
export const things = words(
  'the sign-up form, the import of orders, the price list, the error page, the weekly report, access rights, ' +
    'the contract template, the backup, the search results, the release notes, the invoice layout, load times',
);
export const devices = words(
  'Firefox on Linux, Chrome on Windows, Safari on macOS, Safari on iPhone, Chrome on Android',
);
