/** Of the reporter and the server alike; a test compares it with package.json. */
export const VERSION = '0.1.0'
