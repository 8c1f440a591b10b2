/** How far back a service's page looks at first, seconds: long enough to see a trend. */
export const serviceWindowSec = 300;
