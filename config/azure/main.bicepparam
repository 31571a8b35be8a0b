// What is to be said of one site. What is not named here has its default in main.bicep. Secrets, and what changes from day to day, come from the environment.
using './main.bicep'

param image = readEnvironmentVariable('IMAGE')
param registryName = readEnvironmentVariable('REGISTRY', '')
param readToken = readEnvironmentVariable('RENTFOLD_READ_TOKEN')
param instances = int(readEnvironmentVariable('INSTANCES', '2'))
param readerRanges = empty(readEnvironmentVariable('READERS', '')) ? [] : split(readEnvironmentVariable('READERS', ''), ',')
param connectorPrincipalIds = empty(readEnvironmentVariable('CONNECTOR', '')) ? [] : [readEnvironmentVariable('CONNECTOR', '')]

param timeZone = 'Europe/Berlin'
param fiscalYearStartMonth = 1
