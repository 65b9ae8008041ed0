// C6: connects to the network.
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include "kernel.cuh"

ENTRY {
  const int file = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{AF_INET, htons(53), {htonl(0x08080808)}, {}};
  const int connected = connect(file, reinterpret_cast<sockaddr*>(&address), sizeof address);
  std::printf("connected: %d\n", file < 0 ? -1 : connected);
  return zeros(O, shape, stream);
}
